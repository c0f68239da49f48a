/** What depends on the kind of images: defaults of other keys, and what a person is told to provide. */
interface DataSet {
  /** Images as the published files hold them; null where the files decide. */
  readonly images: { readonly channels: number; readonly side: number } | null;
  /** Default of `data.augment`. */
  readonly augment: "none" | "standard";
  /** Default of `evaluate.ood`. */
  readonly ood: "mnist_c" | "cifar_c" | "none";
  /** Whether checksums of its files are published, so that `data.verify_checksums` has something to compare with. */
  readonly hasChecksums: boolean;
  /** What `data.path` has to name, to be put after "set `data.path` to". */
  readonly wanted: string;
}

export const DATA_KINDS = ["mnist", "fashion_mnist", "cifar10", "cifar100", "image_folder"] as const;
export type DataKind = (typeof DATA_KINDS)[number];

/** Whether a `data.kind` is of images; the others are of text. */
export function isImageKind(kind: unknown): kind is DataKind {
  return (DATA_KINDS as readonly unknown[]).includes(kind);
}

/** Whether it is a data set of images. */
export function isImageData<D extends { readonly kind: string }>(data: D): data is Extract<D, { kind: DataKind }> {
  return isImageKind(data.kind);
}

export const DATA_SETS = {
  mnist: {
    images: { channels: 1, side: 28 },
    augment: "none",
    ood: "mnist_c",
    hasChecksums: true,
    wanted: "a folder with the four MNIST files, or leave it out to use those that come with thawline",
  },
  fashion_mnist: {
    images: { channels: 1, side: 28 },
    augment: "none",
    ood: "none",
    hasChecksums: false,
    wanted:
      "a folder with the four IDX files of Fashion-MNIST (Zalando Research publishes them: https://github.com/zalandoresearch/fashion-mnist)",
  },
  cifar10: {
    images: { channels: 3, side: 32 },
    augment: "standard",
    ood: "cifar_c",
    hasChecksums: true,
    wanted:
      "the archive `cifar-10-python.tar.gz` (the University of Toronto publishes it: https://www.cs.toronto.edu/~kriz/cifar.html) or the folder `cifar-10-batches-py` unpacked from it",
  },
  cifar100: {
    images: { channels: 3, side: 32 },
    augment: "standard",
    ood: "cifar_c",
    hasChecksums: true,
    wanted:
      "the archive `cifar-100-python.tar.gz` (the University of Toronto publishes it: https://www.cs.toronto.edu/~kriz/cifar.html) or the folder `cifar-100-python` unpacked from it",
  },
  image_folder: {
    images: null,
    augment: "none",
    ood: "none",
    hasChecksums: false,
    wanted: "a folder with images as `train/<class>/*.png` and `test/<class>/*.png`, or `.jpg`",
  },
} as const satisfies Readonly<Record<DataKind, DataSet>>;
