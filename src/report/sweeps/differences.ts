import { settingsOf } from "../page/settings.js";

/** What says nothing about a training, or is a run's own. */
const OWN = /^(?:name|seed|supervision\..*|script\..*|device\.threads|report_to\..*)$/;

/** The settings in which configurations differ, each as `key=value`, for every configuration. */
export function differencesOf(configs: readonly object[]): string[][] {
  const all = configs.map((config) => new Map(settingsOf(config).filter(([key]) => !OWN.test(key))));
  const keys = [...new Set(all.flatMap((settings) => [...settings.keys()]))];
  const differing = keys.filter((key) => new Set(all.map((settings) => settings.get(key))).size > 1);
  return all.map((settings) =>
    differing.flatMap((key) => {
      const value = settings.get(key);
      return value === undefined ? [] : [`${key}=${value}`];
    }),
  );
}
