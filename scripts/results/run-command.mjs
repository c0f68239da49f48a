// What a run of a plan needs, and how it is started: apart from run-plan.mjs, which starts something when it is loaded.

const NEEDS = [
  ["needsImages", "images", "name CIFAR-10 as images with --images"],
  ["needsGpu", "gpu", "it is for a machine with a GPU, where --gpu takes it"],
  ["needsXquad", "xquad", "name the folder of XQuAD with --xquad"],
];

/** Why a run cannot be made with these options, or null. */
export function whyLeftOut(run, options) {
  const lacking = NEEDS.find(([need, option]) => run[need] && !options[option]);
  return lacking === undefined ? null : lacking[2];
}

/** The arguments of `npx thawline`; a run that was begun goes on with the settings that it has. */
export function commandOf(run, folder, options, begun) {
  if (begun) return ["resume", folder, "--headless"];
  const frost = options.frost === undefined ? [] : [`evaluate.frost_textures=${options.frost}`];
  const images = run.needsImages ? [`data.path=${options.images}`, ...frost] : [];
  const xquad = run.needsXquad ? [`data.path=${options.xquad}`] : [];
  return ["run", run.config, ...run.settings, ...images, ...xquad, "--run-dir", folder, "--headless"];
}
