/** `a.b=value` settings as environment variables, a layer that what a test gives on the command line is stronger than. */
export function asEnvironment(settings: readonly string[]): NodeJS.ProcessEnv {
  return Object.fromEntries(
    settings.map((setting) => {
      const [key = "", ...value] = setting.split("=");
      return [`THAWLINE_CONFIG__${key.toUpperCase().replaceAll(".", "__")}`, value.join("=")];
    }),
  );
}
