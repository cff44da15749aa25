"""The lessons' texts in Italian."""

from __future__ import annotations

NAMES = {
    "moons": "mezzelune",
    "circles": "cerchi",
    "spirals": "spirali",
    "xor": "XOR",
    "blobs": "nuvole",
    "sine": "seno",
    "chirp": "seno sempre più fitto",
    "bump": "gobba",
    "mountains": "montagne",
    "root": "radice",
    "digits": "cifre",
    "light": "chiaro",
    "dark": "scuro",
}
"""What the choices of options are called in a sentence."""

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
    "Tre neuroni su due strati ci riescono: (a OR b) AND (a NAND b).",
    "neuron.silent": "tace",
    "neuron.active": "si attiva",
    "neuron.no_line": "nessuna retta li separa",
    "perceptron.title": "Il percettrone impara dai propri errori",
    "perceptron.remark": "Ogni volta che $y\\,(w \\cdot x + b) \\leq 0$: somma $y\\,x$ ai pesi e "
    "$y$ al bias. Rosenblatt, 1958.",
    "perceptron.points": "{count} punti di due classi ({points}, seme {seed}); le etichette y sono "
    "−1 e +1.",
    "perceptron.rule": "Un punto dal lato sbagliato tira la retta: w diventa w + y·x, "
    "b diventa b + y.",
    "perceptron.mistakes": "Errori in ogni passata sui punti: {counts}.",
    "perceptron.done": "Dopo {mistakes} errori ogni punto è dal suo lato e non cambia più nulla.",
    "perceptron.bound": "Il margine più ampio che una retta può lasciare qui è γ = {gamma:.3f}. "
    "Novikoff (1962): gli errori sono al più (R/γ)² = {bound}, in qualunque ordine vengano i "
    "punti.",
    "perceptron.never": "Dopo {sweeps} passate {wrong} punti su {count} sono ancora sbagliati. Se "
    "nessuna retta può separare i punti, non finisce mai: serve più di un neurone.",
    "perceptron.counts": "{mistakes} errori",
    "perceptron.seen": "punti guardati",
    "mlp.title": "Una rete impara dove tracciare il confine",
    "mlp.remark": "Epoca {epoch}: dei {count} punti che non ha mai visto ne riconosce {right}.",
    "mlp.network": "Una rete {sizes}: {weights} pesi e bias, estratti a caso.",
    "mlp.points": "Impara da {count} punti ({points}, seme {seed}) e viene giudicata su "
    "altrettanti.",
    "mlp.epoch": "  epoca {epoch:4}: perdita {loss:.3f}, sugli altri {other:.3f}; "
    "{right} su {count} giusti",
    "mlp.losses": "Perdita",
    "mlp.learned": "su cui impara",
    "mlp.other": "tenuti da parte",
    "mlp.epochs": "epoche",
    "backprop.title": "Retropropagazione: un passo, numero per numero",
    "backprop.remark": "L'errore torna indietro lungo le connessioni e dice a ogni peso la sua "
    "parte. Rumelhart e altri, 1986.",
    "backprop.begin": "Una rete 2-2-1 di sigmoidi, σ(z) = 1 / (1 + e⁻ᶻ); pesi dal seme {seed}. "
    "Riceve x = ({x1:g}; {x2:g}) e il valore atteso è t = {target:g}.",
    "backprop.forward": "1. In avanti: ogni neurone somma ciò che riceve, moltiplicato per i pesi.",
    "backprop.error": "2. Errore: E = {formula} = {error}",
    "backprop.backward": "3. All'indietro: la regola della catena, dall'uscita agli ingressi; "
    "σ′ = σ (1 − σ).",
    "backprop.first": "  e per ogni peso del primo strato: ∂E/∂wᵢⱼ = ∂E/∂zⱼ · xᵢ",
    "backprop.update": "4. Nuovi pesi: ognuno scende contro il gradiente, w − {rate:g} · ∂E/∂w.",
    "backprop.better": "Di nuovo, con i nuovi pesi: y = {y}. L'errore è sceso da {old} a {new}.",
    "backprop.worse": "Di nuovo, con i nuovi pesi: y = {y}. L'errore è andato da {old} a {new}: "
    "il passo era troppo lungo; prova un --learning-rate più piccolo.",
    "backprop.stage_forward": "1  in avanti:\ndagli ingressi all'uscita",
    "backprop.stage_error": "2  errore:\nuscita e valore atteso",
    "backprop.stage_backward": "3  all'indietro:\n∂ di ogni peso",
    "backprop.stage_update": "4  nuovi pesi:\nun passo in discesa",
    "backprop.target": "atteso",
    "backprop.then": "poi {error}",
    "approximation.title": "Uno strato nascosto imita ogni funzione continua",
    "approximation.remark": "$|f(x) - \\hat f(x)| < \\varepsilon$ ovunque in [0, 1], se ha "
    "abbastanza neuroni. Cybenko; Hornik, Stinchcombe, White, 1989.",
    "approximation.begin": "Uno strato nascosto imita la funzione {function} su [0, 1]: una volta "
    "costruito con gradini, senza addestrarlo; una volta addestrato (seme {seed}).",
    "approximation.width": "  {width:3} neuroni: errore al più {built:.3f} con i gradini "
    "(il teorema promette {bound:.3f}), {trained:.4f} addestrato",
    "approximation.end": "Più neuroni, meno errore. Il teorema dice che i pesi esistono; non dice "
    "che l'addestramento li trovi.",
    "approximation.neurons": "neuroni: {width}",
    "approximation.built": "fatto di gradini",
    "approximation.trained": "addestrato",
    "approximation.error": "Errore massimo",
    "approximation.of_neurons": "neuroni",
    "depth.title": "Una rete profonda piega, e piegando guadagna",
    "depth.remark": "Ogni strato di 2 neuroni piega [0, 1] a metà: $T(x) = 2\\,relu(x) - "
    "4\\,relu(x - 1/2)$. Telgarsky, 2015.",
    "depth.begin": "Uno strato di 2 neuroni (ReLU) piega [0, 1] a metà. Piegato più volte, diventa "
    "un dente di sega.",
    "depth.layer": "  strati {layer:2}: {neurons:2} neuroni fanno {pieces:4} tratti diritti; un "
    "solo strato nascosto ne richiede almeno {needed:4}",
    "depth.end": "Con un solo strato nascosto, n neuroni piegano una retta al più n volte, in "
    "n + 1 tratti: ne servono almeno 2ᵏ − 1. Alla rete profonda ne bastano 2k.",
    "depth.network": "{layers} strati, {neurons} neuroni: {pieces} tratti",
    "depth.flat": "altrettanti in uno strato",
    "depth.count": "Neuroni necessari",
    "depth.pieces": "tratti diritti del dente di sega",
    "depth.deep": "profonda, 2k",
    "depth.shallow": "uno strato, almeno $2^k - 1$",
}
