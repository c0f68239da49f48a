/** Whether it names a folder, where the id of a model on the Hub (`FacebookAI/xlm-roberta-base`) could stand as well. */
export function isFolderName(name: string): boolean {
  return /^(?:\.{1,2}|~)?\//.test(name);
}
