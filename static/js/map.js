// The directory's map: an addition to the list beside it, which holds the same partners.

import * as maplibre from "../vendor/maplibre-gl-6.17.0/maplibre-gl.mjs";

const box = document.querySelector("[data-map]");
const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
const near = box?.dataset.near ? JSON.parse(box.dataset.near) : null;
const NAMES_FROM_ZOOM = 4.5;
const KM_A_DEGREE = 111.195;

/** A token's colour as the map understands it: the browser resolves light-dark() and the theme. */
function color(token) {
  const probe = document.createElement("span");
  probe.className = `probe probe--${token}`;
  box.append(probe);
  const resolved = getComputedStyle(probe).color;
  probe.remove();
  return resolved;
}

/** The circle that was searched, as a ring of places; nothing where none was. */
function reach() {
  if (!near) return { type: "FeatureCollection", features: [] };
  const [longitude, latitude] = near.at;
  const radians = Math.PI / 180;
  const distance = (near.km / KM_A_DEGREE) * radians;
  const from = latitude * radians;
  const ring = [];
  for (let degree = 0; degree <= 360; degree += 4) {
    const bearing = degree * radians;
    const to = Math.asin(
      Math.sin(from) * Math.cos(distance) + Math.cos(from) * Math.sin(distance) * Math.cos(bearing),
    );
    const across = Math.atan2(
      Math.sin(bearing) * Math.sin(distance) * Math.cos(from),
      Math.cos(distance) - Math.sin(from) * Math.sin(to),
    );
    ring.push([longitude + across / radians, to / radians]);
  }
  return { type: "Feature", properties: {}, geometry: { type: "Polygon", coordinates: [ring] } };
}

function style() {
  return {
    version: 8,
    sources: {
      world: { type: "geojson", data: box.dataset.world, attribution: box.dataset.attribution },
      reach: { type: "geojson", data: reach() },
      partners: {
        type: "geojson",
        data: box.dataset.points,
        cluster: true,
        clusterRadius: 38,
        clusterMaxZoom: 11,
        // A cluster of one town bears its name.
        clusterProperties: {
          town: [["case", ["==", ["accumulated"], ["get", "town"]], ["accumulated"], ""], ["get", "town"]],
        },
      },
    },
    layers: [
      { id: "sea", type: "background", paint: { "background-color": color("sea") } },
      { id: "land", type: "fill", source: "world", paint: { "fill-color": color("land") } },
      { id: "borders", type: "line", source: "world", paint: { "line-color": color("border"), "line-width": 0.7 } },
      { id: "reach", type: "fill", source: "reach", paint: { "fill-color": color("brand"), "fill-opacity": 0.06 } },
      {
        id: "reach-edge",
        type: "line",
        source: "reach",
        paint: { "line-color": color("brand"), "line-opacity": 0.5, "line-dasharray": [3, 3] },
      },
      {
        id: "clusters",
        type: "circle",
        source: "partners",
        filter: ["has", "point_count"],
        paint: {
          "circle-color": color("brand"),
          "circle-radius": ["step", ["get", "point_count"], 13, 10, 17, 50, 22],
          "circle-stroke-width": 2,
          "circle-stroke-color": color("raised"),
        },
      },
      {
        id: "partner",
        type: "circle",
        source: "partners",
        filter: ["!", ["has", "point_count"]],
        paint: {
          "circle-color": ["get", "color"],
          "circle-radius": 7,
          "circle-stroke-width": 2,
          "circle-stroke-color": color("raised"),
        },
      },
    ],
  };
}

/** The number on each cluster in view, as HTML: the map's own text would need glyph files. */
function numberClusters(map, markers) {
  const seen = new Set();
  for (const feature of map.querySourceFeatures("partners")) {
    if (!feature.properties.cluster) continue;
    const id = feature.properties.cluster_id;
    seen.add(id);
    if (markers.has(id)) continue;
    const element = document.createElement("span");
    element.className = "cluster";
    element.textContent = feature.properties.point_count_abbreviated;
    markers.set(id, new maplibre.Marker({ element }).setLngLat(feature.geometry.coordinates).addTo(map));
  }
  for (const [id, marker] of markers) {
    if (!seen.has(id)) {
      marker.remove();
      markers.delete(id);
    }
  }
}

/** Names of the towns that partners are in, where there is room: the basemap has none. The largest first. */
function nameTowns(map, names) {
  for (const marker of names.splice(0)) marker.remove();
  if (map.getZoom() < NAMES_FROM_ZOOM) return;
  const towns = new Map();
  for (const { properties, geometry } of map.querySourceFeatures("partners")) {
    const count = properties.point_count ?? 1;
    const known = towns.get(properties.town);
    if (properties.town && (known?.count ?? 0) < count) {
      towns.set(properties.town, { count, at: geometry.coordinates });
    }
  }
  if (near && !towns.has(near.name)) towns.set(near.name, { count: 0, at: near.at });
  const taken = [];
  for (const [name, { count, at }] of [...towns].sort(([, one], [, other]) => other.count - one.count)) {
    const { x, y } = map.project(at);
    const half = name.length * 3.6 + 6;
    const below = count === 1 ? 20 : count > 1 && count < 10 ? 26 : 30;
    const room = { left: x - half, right: x + half, top: y + below - 10, bottom: y + below + 10 };
    const clashes = taken.some(
      (one) => room.left < one.right && one.left < room.right && room.top < one.bottom && one.top < room.bottom,
    );
    if (clashes) continue;
    taken.push(room);
    const element = document.createElement("span");
    element.className = "town";
    element.textContent = name;
    names.push(new maplibre.Marker({ element, offset: [0, below] }).setLngLat(at).addTo(map));
  }
}

function popup({ name, url, tier }) {
  const content = document.createElement("div");
  const link = document.createElement("a");
  link.href = url;
  link.textContent = name;
  const line = document.createElement("span");
  line.textContent = tier;
  content.append(link, line);
  return content;
}

function bounds(collection) {
  const all = new maplibre.LngLatBounds();
  for (const feature of collection.features) all.extend(feature.geometry.coordinates);
  return all;
}

function draw() {
  box.hidden = false;
  const map = new maplibre.Map({
    container: box.querySelector("[data-canvas]"),
    style: style(),
    center: [5, 35],
    zoom: 1.2,
    minZoom: 0.6,
    maxZoom: 12,
    fadeDuration: still ? 0 : 150,
    dragRotate: false,
    pitchWithRotate: false,
    attributionControl: { compact: true },
    locale: JSON.parse(box.dataset.locale),
  });
  map.addControl(new maplibre.NavigationControl({ showCompass: false }), "top-right");
  const markers = new Map();
  const names = [];
  map.on("idle", () => nameTowns(map, names));
  map.on("render", () => map.isSourceLoaded("partners") && numberClusters(map, markers));
  map.on("click", "partner", ({ features: [feature] }) => {
    new maplibre.Popup({ closeButton: false })
      .setLngLat(feature.geometry.coordinates)
      .setDOMContent(popup(feature.properties))
      .addTo(map);
  });
  map.on("click", "clusters", async ({ features: [feature] }) => {
    const zoom = await map.getSource("partners").getClusterExpansionZoom(feature.properties.cluster_id);
    map.easeTo({ center: feature.geometry.coordinates, zoom, animate: !still });
  });
  for (const layer of ["partner", "clusters"]) {
    map.on("mouseenter", layer, () => (map.getCanvas().style.cursor = "pointer"));
    map.on("mouseleave", layer, () => (map.getCanvas().style.cursor = ""));
  }
  const recolor = () => map.setStyle(style());
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", recolor);
  map.on("load", async () => {
    const found = await (await fetch(box.dataset.points)).json();
    if (near) {
      const around = new maplibre.LngLatBounds();
      for (const place of reach().geometry.coordinates[0]) around.extend(place);
      map.fitBounds(around, { padding: 24, animate: false });
    } else if (found.features.length && box.dataset.fit === "yes") {
      map.fitBounds(bounds(found), { padding: 60, maxZoom: 9, animate: false });
    }
    box.dataset.ready = "yes";
  });
}

if (box) draw();
