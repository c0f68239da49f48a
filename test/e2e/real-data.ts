import { existsSync, mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { execa } from "execa";

/** Real data that do not come along: in the folder that the environment names, else in one beside the checkout. */
const BESIDE = resolve(import.meta.dirname, "../../../shared/data");
const CIFAR10_ARCHIVE = join(BESIDE, "cifar10-jpeg.tar.xz");

/** A folder with the real `xquad.<language>.json`. */
export const XQUAD = process.env["THAWLINE_TEST_XQUAD"] ?? existing(join(BESIDE, "xquad"));

/** An unpacked folder of CIFAR-10 images, `train/<class>/*.jpg` and `test/<class>/*.jpg`. */
const CIFAR10_IMAGES = process.env["THAWLINE_TEST_CIFAR"];

export const HAS_CIFAR10 = CIFAR10_IMAGES !== undefined || existsSync(CIFAR10_ARCHIVE);

/** 500 images of each class to train on, more than 30 updates of 128 ask for, and 100 of each to test. */
const ENOUGH_IMAGES = ["train/*/0[0-4]*.jpg", "test/*/00*.jpg"];

/** The folder of CIFAR-10 images; an archive is unpacked, in part, to `folder`. */
export async function cifar10Images(folder: string): Promise<string> {
  if (CIFAR10_IMAGES !== undefined) return CIFAR10_IMAGES;
  if (existsSync(folder)) return folder;
  mkdirSync(folder);
  await execa("tar", ["-xJf", CIFAR10_ARCHIVE, "-C", folder, "--wildcards", ...ENOUGH_IMAGES]);
  return folder;
}

function existing(path: string): string | undefined {
  return existsSync(path) ? path : undefined;
}
