import path from 'node:path';
import { generate, loadCodegenConfig } from '@graphql-codegen/cli';

/** Typed operations as codegen.yml describes them, against the schema that was just composed; nothing is written. */
export async function typedOperations(root: string, api: string): Promise<ReadonlyMap<string, string>> {
  const { config } = await loadCodegenConfig({ configFilePath: path.join(root, 'codegen.yml') });
  const made = (await generate({ ...config, schema: api, cwd: root, silent: true, noSilentErrors: true }, false)) as {
    filename: string;
    content: string;
  }[];
  return new Map(
    made
      .map(({ filename, content }) => [path.relative(root, path.resolve(root, filename)), content] as const)
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}
