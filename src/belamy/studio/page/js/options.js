// What an option may be, read from the schema that the server gives of an engine's own options.

import { t, has, either } from "./words.js";
import { store } from "./store.js";

/** The schema of one option: {type, choices, minimum, maximum, usual, text …}. */
export function optionOf(engine, name) {
  const schema = store.engines.get(engine)?.options;
  const field = schema?.properties?.[name];
  return field ? readField(field) : null;
}

function readField(field) {
  const types = [field.type ?? []].flat();
  const choices = [...(field.enum ?? field.choices ?? [])].filter((one) => one !== null);
  const usual = field.default ?? null;
  const whole = types.includes("integer") && !types.includes("number");
  let type = "text";
  if (types.includes("boolean")) type = "boolean";
  else if (choices.length && (choices.includes(usual) || !/integer|number/.test(types))) type = "choice";
  else if (/integer|number/.test(types)) type = whole ? "integer" : "number";
  else if (types.includes("array")) type = "list";
  return {
    type,
    choices,
    minimum: field.minimum ?? field.exclusiveMinimum ?? null,
    maximum: field.maximum ?? field.exclusiveMaximum ?? null,
    optional: types.includes("null"),
    numbers: /integer|number/.test([field.items?.type ?? ""].flat()),
    usual,
    text: either(field.description),
    title: either(field.title),
  };
}

/** All options of an engine, but for what is an input. */
export function optionNames(engine) {
  return Object.keys(store.engines.get(engine)?.options?.properties ?? {});
}

/** The words of an option: its label and its line of help. */
export function wordsOf(engine, name) {
  const option = optionOf(engine, name);
  const own = [engine, engine.replace(/_film$/, "")].map((one) => `options.${one}.${name}`).find(has) ?? `options.all.${name}`;
  const label = has(`${own}.label`) ? t(`${own}.label`) : option?.title || name.replaceAll("_", " ");
  const help = has(`${own}.help`) ? t(`${own}.help`) : option?.text ?? "";
  return { label, help };
}

/** The words of a choice of an option. */
export function wordsOfChoice(name, choice, engine = "") {
  const own = [engine, engine.replace(/_film$/, "")].map((one) => `choices.${one}_${name}.${choice}`).find(has);
  if (engine && own) return t(own);
  const key = `choices.${name}.${choice}`;
  const plain = `choices.all.${choice}`;
  if (has(key)) return t(key);
  return has(plain) ? t(plain) : String(choice);
}
