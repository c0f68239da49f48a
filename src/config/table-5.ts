import type { Config } from "./schema.js";

/** The settings that the paper's Table 5 lists for its vision experiments, under the names of the configuration. */
export type TableSettings = Pick<
  Config["train"],
  "optimizer" | "learning_rate" | "batch_size" | "epochs" | "weight_decay" | "momentum"
> & { readonly schedule: Config["train"]["schedule"]["kind"] };

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
    settings: settings({ learning_rate: 0.01, epochs: 10, weight_decay: 0.01, momentum: 0.9 }),
  },
  {
    title: "CIFAR10 RN18",
    preset: "cifar10-resnet18",
    settings: settings({ learning_rate: 0.1, epochs: 200, weight_decay: 0, momentum: 0 }),
  },
  {
    title: "CIFAR10 VGG11",
    preset: "cifar10-vgg11",
    settings: settings({ learning_rate: 0.15, epochs: 200, weight_decay: 0, momentum: 0 }),
  },
  {
    title: "CIFAR100 RN18",
    preset: "cifar100-resnet18",
    settings: settings({ learning_rate: 0.01, epochs: 200, weight_decay: 0.0005, momentum: 0.9 }),
  },
];

/** What a configuration says about them. */
export function tableSettings({ train }: Config): TableSettings {
  const { optimizer, schedule, learning_rate, batch_size, epochs, weight_decay, momentum } = train;
  return { optimizer, schedule: schedule.kind, learning_rate, batch_size, epochs, weight_decay, momentum };
}

/** All four columns have the same optimizer, schedule and batch size; the order of the keys is that of the paper. */
function settings(own: Pick<TableSettings, "learning_rate" | "epochs" | "weight_decay" | "momentum">): TableSettings {
  const { learning_rate, epochs, weight_decay, momentum } = own;
  return { optimizer: "sgd", schedule: "constant", learning_rate, batch_size: 128, epochs, weight_decay, momentum };
}
