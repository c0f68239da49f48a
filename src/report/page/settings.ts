import { singleLine } from "../../printable.js";

/** A configuration as dotted keys with their values, in its own order. */
export function settingsOf(config: object, prefix = ""): [key: string, value: string][] {
  return Object.entries(config).flatMap(([key, value]: [string, unknown]): [string, string][] => {
    const name = `${prefix}${key}`;
    const isMapping = typeof value === "object" && value !== null && !Array.isArray(value);
    if (isMapping && Object.keys(value).length > 0) return settingsOf(value, `${name}.`);
    return [[singleLine(name), singleLine(typeof value === "string" ? value : JSON.stringify(value))]];
  });
}
