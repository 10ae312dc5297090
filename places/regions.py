"""First-level regions as people write them (code or name), as the gazetteer numbers them (GeoNames admin1 codes).

Other countries' regions do not help to tell towns apart yet; there, the most populous town of a name is meant.
"""

from places.names import key

_US = """AL Alabama|AK Alaska|AZ Arizona|AR Arkansas|CA California|CO Colorado|CT Connecticut|DE Delaware
DC District of Columbia|FL Florida|GA Georgia|HI Hawaii|ID Idaho|IL Illinois|IN Indiana|IA Iowa|KS Kansas|KY Kentucky
LA Louisiana|ME Maine|MD Maryland|MA Massachusetts|MI Michigan|MN Minnesota|MS Mississippi|MO Missouri|MT Montana
NE Nebraska|NV Nevada|NH New Hampshire|NJ New Jersey|NM New Mexico|NY New York|NC North Carolina|ND North Dakota|OH Ohio
OK Oklahoma|OR Oregon|PA Pennsylvania|RI Rhode Island|SC South Carolina|SD South Dakota|TN Tennessee|TX Texas|UT Utah
VT Vermont|VA Virginia|WA Washington|WV West Virginia|WI Wisconsin|WY Wyoming"""

# Code or name as written, then the gazetteer's code.
_NUMBERED = {
    "CA": """AB Alberta=01|BC British Columbia=02|MB Manitoba=03|NB New Brunswick=04|NL Newfoundland and Labrador=05
NS Nova Scotia=07|ON Ontario=08|PE Prince Edward Island=09|QC Quebec=10|SK Saskatchewan=11|YT Yukon=12
NT Northwest Territories=13|NU Nunavut=14""",
    "AU": """ACT Australian Capital Territory=01|NSW New South Wales=02|NT Northern Territory=03|QLD Queensland=04
SA South Australia=05|TAS Tasmania=06|VIC Victoria=07|WA Western Australia=08""",
    "DE": """BW Baden-Württemberg=01|BY Bayern=02|HB Bremen=03|HH Hamburg=04|HE Hessen=05|NI Niedersachsen=06
NW Nordrhein-Westfalen=07|RP Rheinland-Pfalz=08|SL Saarland=09|SH Schleswig-Holstein=10|BB Brandenburg=11
MV Mecklenburg-Vorpommern=12|SN Sachsen=13|ST Sachsen-Anhalt=14|TH Thüringen=15|BE Berlin=16""",
    "GB": "ENG England=ENG|NIR Northern Ireland=NIR|SCT Scotland=SCT|WLS Wales=WLS",
    "FR": """ARA Auvergne-Rhône-Alpes=84|BFC Bourgogne-Franche-Comté=27|BRE Bretagne=53|CVL Centre-Val de Loire=24
COR Corse=94|GES Grand Est=44|HDF Hauts-de-France=32|IDF Île-de-France=11|NOR Normandie=28|NAQ Nouvelle-Aquitaine=75
OCC Occitanie=76|PDL Pays de la Loire=52|PAC Provence-Alpes-Côte d’Azur=93""",
}

# The French départements of each region (official geographic code, 2016 reform). A postal code starts with one.
_DEPARTEMENTS = {
    "84": "01 03 07 15 26 38 42 43 63 69 73 74",
    "27": "21 25 39 58 70 71 89 90",
    "53": "22 29 35 56",
    "24": "18 28 36 37 41 45",
    "94": "20 2A 2B",
    "44": "08 10 51 52 54 55 57 67 68 88",
    "32": "02 59 60 62 80",
    "11": "75 77 78 91 92 93 94 95",
    "28": "14 27 50 61 76",
    "75": "16 17 19 23 24 33 40 47 64 79 86 87",
    "76": "09 11 12 30 31 32 34 46 48 65 66 81 82",
    "52": "44 49 53 72 85",
    "93": "04 05 06 13 83 84",
}


def _entries(text: str) -> list[str]:
    return [entry.strip() for line in text.splitlines() for entry in line.split("|")]


def _tables() -> tuple[dict[tuple[str, str], str], dict[tuple[str, str], str]]:
    codes: dict[tuple[str, str], str] = {}
    names: dict[tuple[str, str], str] = {}
    for country, text in {"US": _US, **_NUMBERED}.items():
        for entry in _entries(text):
            written, _equals, number = entry.partition("=")
            code, _space, name = written.partition(" ")
            number = number or code
            codes[country, key(code)] = codes[country, key(name)] = number
            names[country, number] = name
    return codes, names


_CODES, _NAMES = _tables()
_REGION_OF = {departement: region for region, all_of in _DEPARTEMENTS.items() for departement in all_of.split()}


def region_code(region: str, postal_code: str, country: str) -> str | None:
    """The gazetteer's code of a region given by code or name, or by a French postal code; None where unknown."""
    if country == "FR":
        departement = postal_code.strip()[:2] or region.strip().upper()
        if found := _REGION_OF.get(departement):
            return found
    return _CODES.get((country, key(region))) if region else None


def region_name(code: str, country: str) -> str:
    """The name of a region by its gazetteer code; empty where this table has none."""
    return _NAMES.get((country, code), "")
