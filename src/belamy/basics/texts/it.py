"""The lessons' texts in Italian."""

from __future__ import annotations

TEXTS = {
    "neuron.title": "Un neurone: una somma pesata e una soglia",
    "neuron.remark": "Si attiva quando $w_1 x_1 + w_2 x_2 \\geq \\theta$: da un lato di una retta. "
    "McCulloch e Pitts, 1943.",
    "neuron.rule": "Il neurone si attiva quando {w1:g}·x₁ + {w2:g}·x₂ arriva a {threshold:g}.",
    "neuron.fires": "  x = ({a}, {b}): la somma è {total:g}, almeno {threshold:g}: si attiva, 1",
    "neuron.rests": "  x = ({a}, {b}): la somma è {total:g}, meno di {threshold:g}: tace, 0",
    "neuron.is_gate": "È dunque la porta logica {gate}.",
    "neuron.no_gate": "Non è nessuna delle porte che qui hanno un nome (AND, OR, NAND, NOR).",
    "neuron.count": "Delle 16 funzioni di due ingressi un neurone può essere {possible}: "
    "non lo XOR, né il suo contrario.",
    "neuron.xor": "Per lo XOR servirebbero θ > 0, w₁ ≥ θ, w₂ ≥ θ, eppure w₁ + w₂ < θ. "
    "Tre neuroni su due livelli ci riescono: (a OR b) AND (a NAND b).",
    "neuron.silent": "tace",
    "neuron.active": "si attiva",
    "neuron.inputs": "ingressi",
    "neuron.no_line": "nessuna retta li separa",
}
