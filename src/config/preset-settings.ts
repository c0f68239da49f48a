import { loadConfig } from "./layers/load.js";
import { tableSettings, type TableColumn, type TableSettings } from "./table-5.js";

/** What a run of the preset would use. Nothing but the preset is read: data need not be there. */
export function presetSettings({ preset, settings }: TableColumn): TableSettings {
  const ofImages = settings.lora_r === null;
  // CIFAR does not come along, and the preset wants to be told where it is.
  const overrides = ofImages ? ["data.path=unread"] : [];
  return tableSettings(loadConfig({ source: preset, overrides, cwd: "/" }));
}
