import type { Config } from "./schema.js";

/** The settings that the paper's Table 5 lists, close to the names of the configuration; null where it has a dash. */
export interface TableSettings {
  readonly optimizer: Config["train"]["optimizer"];
  readonly schedule: Config["train"]["schedule"]["kind"];
  readonly learning_rate: number;
  readonly batch_size: number;
  readonly epochs: number | null;
  readonly weight_decay: number;
  readonly momentum: number | null;
  readonly lora_r: number | null;
  readonly lora_alpha: number | null;
  readonly lora_dropout: number | null;
}

export interface TableColumn {
  /** Heading of the column in the paper. */
  readonly title: string;
  readonly preset: string;
  readonly settings: TableSettings;
}

/** In the paper's order; docs/paper-map.md holds the same columns for people. */
export const TABLE_5: readonly TableColumn[] = [
  {
    title: "MNIST RN18",
    preset: "mnist-resnet18",
    settings: ofImages({ learning_rate: 0.01, epochs: 10, weight_decay: 0.01, momentum: 0.9 }),
  },
  {
    title: "CIFAR10 RN18",
    preset: "cifar10-resnet18",
    settings: ofImages({ learning_rate: 0.1, epochs: 200, weight_decay: 0, momentum: 0 }),
  },
  {
    title: "CIFAR10 VGG11",
    preset: "cifar10-vgg11",
    settings: ofImages({ learning_rate: 0.15, epochs: 200, weight_decay: 0, momentum: 0 }),
  },
  {
    title: "CIFAR100 RN18",
    preset: "cifar100-resnet18",
    settings: ofImages({ learning_rate: 0.01, epochs: 200, weight_decay: 0.0005, momentum: 0.9 }),
  },
  { title: "SQuAD XLM-R", preset: "squad-xlmr-lora", settings: ofText({ batch_size: 32 }) },
  { title: "MNLI XLM-R", preset: "mnli-xlmr-lora", settings: ofText({ batch_size: 128 }) },
];

/** What a configuration says about them. */
export function tableSettings({ train, model }: Config): TableSettings {
  const { optimizer, schedule, learning_rate, batch_size, epochs, weight_decay, momentum } = train;
  const adapter = "pretrained" in model && "r" in model.adapter ? model.adapter : null;
  return {
    optimizer,
    schedule: schedule.kind,
    learning_rate,
    batch_size,
    epochs,
    weight_decay,
    momentum: momentum ?? null,
    lora_r: adapter?.r ?? null,
    lora_alpha: adapter?.alpha ?? null,
    lora_dropout: adapter?.dropout ?? null,
  };
}

/** All four columns have the same optimizer, schedule and batch size; the order of the keys is that of the paper. */
function ofImages(own: Pick<TableSettings, "learning_rate" | "epochs" | "weight_decay" | "momentum">): TableSettings {
  const { learning_rate, epochs, weight_decay, momentum } = own;
  const common = { optimizer: "sgd", schedule: "constant" } as const;
  const noLora = { lora_r: null, lora_alpha: null, lora_dropout: null };
  return { ...common, learning_rate, batch_size: 128, epochs, weight_decay, momentum, ...noLora };
}

function ofText({ batch_size }: Pick<TableSettings, "batch_size">): TableSettings {
  const common = { optimizer: "adamw", schedule: "linear", learning_rate: 0.0005 } as const;
  const lora = { lora_r: 8, lora_alpha: 8, lora_dropout: 0.2 };
  return { ...common, batch_size, epochs: 15, weight_decay: 0.01, momentum: null, ...lora };
}
