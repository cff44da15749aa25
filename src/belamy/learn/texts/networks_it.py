"""The texts of the lessons on networks that see and networks that paint, in Italian."""

from __future__ import annotations

TEXTS = {
    "gan.title": "Un generatore e un discriminatore imparano l'uno dall'altro",
    "gan.remark": "Perdita {loss}, passo {step}. {covered} nuvole coperte su 8, punti buoni "
    "{good:.0%}.",
    "gan.comparison": "Un gioco, più perdite",
    "gan.after": "Dagli stessi pesi iniziali; dopo il passo {step}. In alto: nuvole coperte, "
    "punti buoni.",
    "gan.begin": "I punti veri stanno in 8 nuvole su un anello (seme {seed}). Un generatore, "
    "il falsario, fa del rumore punti; un discriminatore dice quali sono veri. Ognuno impara "
    "dall'altro.",
    "gan.loss_minimax": "minimax: min su G, max su D di E[log D(x)] + E[log(1 − D(G(z)))], la "
    "formula che firma Edmond de Belamy. Dove D è sicuro, a G non resta gradiente da seguire.",
    "gan.loss_non-saturating": "non-saturating: G massimizza invece E[log D(G(z))]: gradienti "
    "forti dove D è sicuro; ma può correre alla nuvola che in quel momento rende.",
    "gan.loss_least-squares": "least-squares: D deve dire 1 ai veri e 0 ai finti, G vuole 1 per "
    "i suoi; gli errori contano al quadrato.",
    "gan.loss_hinge": "hinge: a D importano solo i punti che non distingue ancora con un "
    "margine di 1.",
    "gan.loss_wasserstein": "wasserstein: D sale dai finti ai veri, con gradiente lungo al più "
    "1; G lo risale.",
    "gan.loss_relativistic": "relativistic: D dice quanto un punto vero è più vero di uno "
    "finto; una nuvola trascurata costa subito a G.",
    "gan.penalty": "I gradienti di D sono penalizzati con peso {penalty:g}: il suo campo resta "
    "liscio e i due si assestano.",
    "gan.no_penalty": "I gradienti di D non sono penalizzati (lo farebbe --penalty 0.1).",
    "gan.step": "  passo {step:>6}: perdite D {discriminator:6.3f}, G {generator:6.3f}; "
    "{covered} nuvole su 8, {good:4.0%} buoni",
    "gan.measured": "{covered} nuvole su 8, il {good:.0%} dei punti entro 3σ da una di esse.",
    "gan.lost": "Il discriminatore ha vinto e il generatore non ha imparato nulla: non resta "
    "gradiente da seguire.",
    "gan.collapsed": "Mancano delle nuvole: il generatore è collassato sulle altre.",
    "gan.covers": "Nessuna nuvola è trascurata.",
    "gan.discriminator": "Discriminatore: quanto è vero?",
    "gan.generator": "Generatore: dove viene tirato?",
    "gan.real": "veri",
    "gan.fake": "finti",
    "gan.latents": "il rumore, per direzione",
    "gan.silence": "nessuno tira più",
    "gan.losses": "Due perdite una contro l'altra",
    "gan.by_discriminator": "discriminatore",
    "gan.by_generator": "generatore",
    "gan.clouds": "Nuvole coperte, punti buoni",
    "gan.steps": "passi",
    "cnn.title": "LeNet-5 legge una cifra",
    "cnn.remark": "Ha visto {seen} cifre disegnate da belamy e di {count} nuove ne riconosce il "
    "{accuracy:.1%}. LeCun e altri, 1998.",
    "cnn.begin": "Una convoluzione: ogni neurone vede una finestra di 5 × 5 pixel, e tutti i "
    "neuroni di una mappa condividono gli stessi pesi.",
    "cnn.wiring": "  Il primo strato di LeNet-5, 6 mappe di 28 × 28 su 32 × 32 pixel, "
    "collegato {name}: {connections} connessioni, {weights} pesi",
    "cnn.wired_fully": "a ogni pixel",
    "cnn.wired_locally": "ai soli pixel vicini",
    "cnn.wired_convolution": "ai pixel vicini, con pesi condivisi",
    "cnn.data": "Impara da {count} cifre disegnate qui: tratti di una mano e caratteri a "
    "stampa, tutti deformati (seme {seed}).",
    "cnn.network": "La rete: {weights} pesi (i 60000 dell'articolo e uno strato d'uscita di 850).",
    "cnn.step": "  {seen:>6} cifre viste: perdita {loss:.3f}; giuste il {accuracy:.1%} delle nuove",
    "cnn.reads": "{name}: è un {digit} ({sure:.0%}), oppure un {second} ({less:.0%})",
    "cnn.layer_input": "l'immagine",
    "cnn.layer_c1": "C1: sei motivi di 5 × 5,\ne dove si trova ognuno",
    "cnn.layer_s2": "S2: lo stesso,\npiù grossolano",
    "cnn.layer_c3": "C3: sedici motivi\ndi motivi",
    "cnn.layer_s4": "S4: ancora\npiù grossi",
    "cnn.layer_c5": "C5: 120\nneuroni",
    "cnn.layer_f6": "F6:\n84",
    "cnn.answer": "ciò che dice",
    "cnn.learning": "Giuste tra le nuove",
    "cnn.seen": "cifre viste",
    "complexity.title": "Quanto è grande una rete?",
    "complexity.remark": "Su una scala in cui ogni riga vale mille volte di più; in fondo, la "
    "corteccia umana.",
    "complexity.header": "{name:<24}{layers:>8}{neurons:>16}{connections:>18}{weights:>14}"
    "{products:>20}",
    "complexity.columns": "rete|strati|neuroni|connessioni|pesi|moltiplicazioni",
    "complexity.cortex": "corteccia umana",
    "complexity.source": "Corteccia umana: {source}.",
    "complexity.neuron": "Qui si conta un neurone per ogni numero che esce da uno strato con "
    "pesi: una mappa di 55 × 55 posizioni ne ha 3025. Gli strati si contano lungo la "
    "catena più lunga.",
    "complexity.pools": "Con le uscite dei pool, che alcuni contano: {counts}.",
    "complexity.about_alexnet": "alexnet (2012) è la rete che vinse, in due torri che si "
    "incontrano solo in certi strati: 650000 neuroni e 60 milioni di pesi, dice l'articolo. "
    "alexnet è quella successiva che tutti scaricano, in una torre sola e più stretta all'inizio.",
    "complexity.about_vgg16": "I «15 milioni di neuroni» di VGG-16 comprendono le uscite dei "
    "pool; senza, sono 13,6 milioni.",
    "complexity.uncounted": "{name} ha pesi in moduli che non sono convoluzioni né strati di "
    "neuroni; le loro connessioni non sono contate.",
    "complexity.bar_neurons": "neuroni",
    "complexity.bar_connections": "connessioni (corteccia: sinapsi)",
    "complexity.bar_weights": "pesi",
    "complexity.layers": "{layers} strati",
    "classifier.title": "Che cos'è, e quali pixel decidono?",
    "classifier.remark": "L'errore torna fino all'immagine: chiaro dove un cambiamento lo "
    "cambierebbe.",
    "classifier.begin": "{network} è stata addestrata su altro; tutti i suoi strati restano "
    "come sono, e un nuovo ultimo strato impara {classes} ({weights} pesi, seme {seed}).",
    "classifier.data": "Impara da {count} immagini di {data}.",
    "classifier.step": "  epoca {epoch:3}: perdita {loss:.3f}, su {held} immagini mai viste "
    "{other:.3f}; giuste il {accuracy:.1%}",
    "classifier.sums": "Un'immagine: dovrebbe essere {target}; l'uscita è {output:.3f}, "
    "l'errore |uscita − atteso| = {error:.3f}. Tornando indietro, ogni strato ne riceve la sua "
    "parte:",
    "classifier.layer": "  {name:<10} {size:>16}  gradiente medio {gradient:.2e}",
    "classifier.losses": "Perdita; {accuracy:.0%} giuste",
    "classifier.forward": "in avanti: che cosa vede ogni strato",
    "classifier.back": "indietro: la parte di errore di ogni strato",
    "classifier.learned": "su cui impara",
    "classifier.other": "mai viste",
    "classifier.epochs": "epoche",
}
