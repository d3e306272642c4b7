"""Service: what comes in, how far behind its readers are, what waits and what could not be used."""

from __future__ import annotations

from deploy.grafana.drawing import Column, Panel
from deploy.grafana.sheet import Sheet
from deploy.grafana.types import bars, figures, series, table
from deploy.grafana.words import CALM, CONGESTED, DENSE, JAMMED, Language, Words
from sensors.kind import load_kinds
from store.panels import service


def vigie_service(_: Language) -> Sheet:
    return Sheet(
        uid="vigie-service",
        title=Words("Service", "Service"),
        about=Words("Vigie itself.", "Vigie elle-même."),
        choices=[],
        rows=[
            (Words("Intake", "Entrées"), _intake()),
            (Words("Behind and waiting", "Retards et files"), _waiting()),
            (Words("Not used", "Inutilisé"), _refused()),
        ],
    )


def _intake() -> list[Panel]:
    kinds = load_kinds()
    return [
        figures(
            Words("Since the beginning", "Depuis le début"),
            Words(
                "Messages by what became of them: stored, come twice, contradicting a stored one, in quarantine.",
                "Messages selon leur sort : enregistrés, venus deux fois, contredisant un enregistré, en quarantaine.",
            ),
            service.account(),
            [
                Column("committed", Words("Stored", "Enregistrés"), "short", decimals=0),
                Column("duplicates", Words("Twice", "En double"), "short", decimals=0),
                Column("conflicts", Words("Contradicting", "Contradictoires"), "short", decimals=0),
                Column("quarantined", Words("Quarantine", "Quarantaine"), "short", decimals=0),
            ],
            width=14,
            sparse=True,
        ),
        figures(
            Words("Database", "Base de données"),
            Words(
                "Its size, the sensors in the catalogue, and when the schema last changed.",
                "Sa taille, les capteurs au catalogue, et le dernier changement de schéma.",
            ),
            service.size(),
            [
                Column("size", Words("Size", "Taille"), "bytes"),
                Column("sensors", Words("Sensors", "Capteurs")),
            ],
            width=10,
            sparse=True,
        ),
        series(
            Words("Readings a second", "Mesures par seconde"),
            Words(
                "Trusted readings by kind, from the means. Without its usual height something does not send.",
                "Mesures fiables par type, d’après les moyennes. Sous sa hauteur habituelle, quelque chose n’émet pas.",
            ),
            service.intake(kinds),
            unit="suffix:/s",
            stacked=True,
            width=14,
        ),
        table(
            Words("From measuring to arriving", "De la mesure à l’arrivée"),
            Words(
                "Seconds over the last quarter of an hour of the chosen time. Clocks that are wrong show here too.",
                "Secondes sur le dernier quart d’heure de la période. Des horloges fausses s’y voient aussi.",
            ),
            service.transport(kinds),
            [
                Column("kind", Words("Kind", "Type")),
                Column("readings", Words("Readings", "Mesures")),
                Column("p50_s", Words("half within", "la moitié en moins de"), "s", decimals=2),
                Column("p95_s", Words("19 of 20 within", "19 sur 20 en moins de"), "s", decimals=2),
                Column("most_s", Words("all within", "toutes en moins de"), "s", decimals=1),
            ],
            width=10,
        ),
    ]


def _waiting() -> list[Panel]:
    return [
        table(
            Words("Readers", "Lecteurs"),
            Words(
                "How far analytics, means and turns are behind what is stored. Over a minute somebody is slow or dead.",
                "Retard de l’analyse, des moyennes et des séjours. Au-delà d’une minute, quelqu’un est lent ou mort.",
            ),
            service.behind(),
            [
                Column("reader", Words("Reader", "Lecteur")),
                Column("slot", Words("Slot", "Tranche")),
                Column("batches", Words("Batches", "Lots")),
                Column(
                    "behind_s",
                    Words("Behind", "Retard"),
                    "s",
                    steps=((None, CALM), (60, DENSE), (300, JAMMED)),
                    decimals=1,
                ),
            ],
            width=10,
        ),
        table(
            Words("Receivers of alerts", "Destinataires des alertes"),
            Words(
                "How many events wait for each, and how often it failed in a row.",
                "Combien d’événements attendent chacun, et ses échecs à la suite.",
            ),
            service.receivers(),
            [
                Column("name", Words("Name", "Nom")),
                Column("kind", Words("By", "Par")),
                Column("state", Words("State", "État")),
                Column("waiting", Words("Waiting", "En attente")),
                Column("failures", Words("Failures", "Échecs"), steps=((None, CALM), (1, DENSE), (5, CONGESTED))),
                Column("failing_since", Words("Failing since", "En échec depuis")),
                Column("next_at", Words("Next try", "Prochain essai")),
                Column("delivered_at", Words("Last delivered", "Dernière remise")),
            ],
            width=14,
        ),
        series(
            Words("Deliveries", "Remises"),
            Words("Tries to deliver an alert.", "Essais de remise d’une alerte."),
            service.deliveries(),
            unit="none",
            bars=True,
            columns=[
                Column("delivered", Words("delivered", "remis"), colour=CALM),
                Column("failed", Words("failed", "échoués"), colour=JAMMED),
            ],
        ),
        series(
            Words("Events of the feed", "Événements du flux"),
            Words("Entries by type.", "Entrées par type."),
            service.feed(),
            unit="none",
            bars=True,
        ),
    ]


def _refused() -> list[Panel]:
    return [
        bars(
            Words("Quarantine by reason", "Quarantaine par raison"),
            Words(
                "Messages that could not be used in the chosen time; `vigie quarantine list` shows them.",
                "Messages inutilisables dans la période ; `vigie quarantine list` les montre.",
            ),
            service.refused(),
            [
                Column("reason", Words("Reason", "Raison")),
                Column("messages", Words("Messages", "Messages")),
                Column("entries", Words("Entries", "Entrées")),
            ],
            unit="none",
        ),
        series(
            Words("Not stored, by day", "Non enregistrés, par jour"),
            Words("Days in UTC.", "Jours en UTC."),
            service.days(),
            unit="none",
            bars=True,
            columns=[
                Column("duplicates", Words("come twice", "en double"), colour=CALM),
                Column("conflicts", Words("contradicting", "contradictoires"), colour=DENSE),
                Column("quarantined", Words("quarantine", "quarantaine"), colour=CONGESTED),
            ],
        ),
    ]
