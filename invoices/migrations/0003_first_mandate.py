from django.db import migrations

EN = """The partner gives the vendor a mandate to write, in the partner’s name and on its behalf, the invoices and credit notes for the commissions that the vendor owes it (Directive 2006/112/EC, art. 224; in France CGI art. 289, I-2, and art. 242 nonies, annex II).

1. Each document follows a statement that the partner could read and question during its review; the end of the review is the partner’s acceptance of it. The partner may contest a document within 30 days of receiving it; what is right is then mended by a credit note or another document.

2. The documents bear numbers of a series of their own, without a gap. The vendor keeps them and gives them to the partner in the portal, where the partner reads and downloads them at any time.

3. The partner remains liable for its VAT and for what the law asks of who issues an invoice. It tells the vendor at once of any change of its name, address, registration, VAT number or VAT status, by changing its legal details in the portal, and asks for a document that it misses.

4. The partner writes no invoice of its own for what such a document covers.

5. The partner may revoke the mandate in the portal, from any day on. Documents that were written before stand, and are corrected under this mandate where need be."""

FR = """Le partenaire donne à l’éditeur du programme mandat d’établir, en son nom et pour son compte, les factures et avoirs des commissions que l’éditeur lui doit (directive 2006/112/CE, art. 224 ; en France, CGI art. 289, I-2, et art. 242 nonies de l’annexe II).

1. Chaque document fait suite à un relevé que le partenaire a pu lire et contester pendant sa vérification ; la fin de la vérification vaut acceptation par le partenaire. Le partenaire peut contester un document dans les 30 jours de sa réception ; ce qui doit l’être est alors corrigé par un avoir ou par un autre document.

2. Les documents portent les numéros d’une série qui leur est propre, sans rupture. L’éditeur les conserve et les remet au partenaire dans le portail, où celui-ci les lit et les télécharge à tout moment.

3. Le partenaire reste redevable de sa TVA et tenu de ce que la loi demande à qui émet une facture. Il signale sans délai tout changement de nom, d’adresse, d’immatriculation, de numéro ou de régime de TVA en modifiant ses informations légales dans le portail, et réclame tout document qui lui manquerait.

4. Le partenaire n’établit aucune facture pour ce qu’un tel document couvre.

5. Le partenaire peut révoquer le mandat dans le portail, à compter du jour de son choix. Les documents établis auparavant demeurent et sont corrigés, s’il y a lieu, au titre du présent mandat."""


def add(apps, schema_editor):
    apps.get_model("invoices", "MandateText").objects.get_or_create(version=1, defaults={"text": {"en": EN, "fr": FR}})


class Migration(migrations.Migration):
    dependencies = [("invoices", "0002_documents_are_held")]
    operations = [migrations.RunPython(add, migrations.RunPython.noop)]
