import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  buildSchema as schemaOf,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isObjectType,
  isScalarType,
  isSpecifiedScalarType,
  parse,
  print,
  Kind,
  type GraphQLArgument,
  type GraphQLSchema,
} from 'graphql';
import { composeSubgraphs, type Subgraph } from '../../src/gateway/compose.js';
import { buildSchema } from '../../src/gateway/schema.js';
import { subgraphSdl } from '../../src/gateway/subgraph.js';
import { PRODUCT_NAMES } from '../../src/kernel/index.js';
import { loadProducts } from '../../src/products.js';
import { differences } from '../gen/compare.js';

const ROOT = path.resolve(__dirname, '../..');
const read = (name: string): string => readFileSync(path.join(ROOT, 'schema', `${name}.graphql`), 'utf8');
const subgraphs = (): Subgraph[] => PRODUCT_NAMES.map((name) => ({ name, url: `http://${name}.invalid/graphql`, sdl: read(name) }));

/** Everything that a client can see of a schema, one line a fact. */
function factsOf(schema: GraphQLSchema): string[] {
  const facts: string[] = [];
  const args = (at: string, list: readonly GraphQLArgument[]): void => {
    for (const each of list)
      facts.push(
        `${at}(${each.name}: ${String(each.type)} = ${String(each.defaultValue)}) ${each.description ?? ''} ${each.deprecationReason ?? ''}`,
      );
  };
  for (const type of Object.values(schema.getTypeMap())) {
    if (type.name.startsWith('__') || isSpecifiedScalarType(type)) continue;
    facts.push(`${type.constructor.name} ${type.name} ${type.description ?? ''}`);
    if (isScalarType(type)) facts.push(`${type.name} by ${type.specifiedByURL ?? 'nobody'}`);
    if (isEnumType(type))
      for (const each of type.getValues())
        facts.push(`${type.name}.${each.name} ${each.description ?? ''} ${each.deprecationReason ?? ''}`);
    if (isObjectType(type) || isInterfaceType(type)) {
      for (const each of Object.values(type.getFields())) {
        facts.push(`${type.name}.${each.name}: ${String(each.type)} ${each.description ?? ''} ${each.deprecationReason ?? ''}`);
        args(`${type.name}.${each.name}`, each.args);
      }
    }
    if (isInputObjectType(type)) {
      for (const each of Object.values(type.getFields()))
        facts.push(`${type.name}.${each.name}: ${String(each.type)} = ${String(each.defaultValue)} ${each.description ?? ''}`);
    }
  }
  return facts.sort();
}

describe('the composed schema', () => {
  it('holds the same types, fields, arguments, descriptions and deprecations as the schema of one process', async () => {
    const one = buildSchema(await loadProducts(), () => null);
    const facts = factsOf(one);
    expect(facts.length).toBeGreaterThan(300);
    expect(factsOf(schemaOf(read('api')))).toEqual(facts);
  });

  it('names a specification for every scalar of its own', () => {
    const scalars = Object.values(schemaOf(read('api')).getTypeMap()).filter((type) => isScalarType(type) && !isSpecifiedScalarType(type));
    expect(scalars.length).toBeGreaterThan(0);
    for (const type of scalars) expect(type).toHaveProperty('specifiedByURL', expect.stringMatching(/^https?:/));
  });

  it('composes from the committed subgraphs without a fault', () => {
    const { api, supergraph } = composeSubgraphs(subgraphs());
    expect(read('api')).toContain(api);
    expect(supergraph).toContain('join__Graph');
  });

  it.each([
    ['two products that print a type of the same name', 'type Variant { id: ID! }'],
    ['a field of another type', 'type PageInfo @shareable { hasNextPage: Int!, endCursor: String }'],
  ])('refuses %s', (_what, planted) => {
    const sdl = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@shareable"])\n type Query { planted: Int }\n ${planted}`;
    expect(() => composeSubgraphs([...subgraphs(), { name: 'planted', url: 'http://planted.invalid', sdl }])).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID' }),
    );
  });
});

describe('a subgraph', () => {
  const typesOf = (name: string): Map<string, string> =>
    new Map(
      parse(read(name)).definitions.flatMap((each) =>
        each.kind === Kind.OBJECT_TYPE_DEFINITION ? [[each.name.value, print({ ...each, fields: [] })] as const] : [],
      ),
    );

  it('marks as shareable what several products print, and nothing that one product owns', () => {
    const owners = new Map<string, string[]>();
    for (const name of PRODUCT_NAMES) for (const type of typesOf(name).keys()) owners.set(type, [...(owners.get(type) ?? []), name]);
    const shared = [...owners]
      .filter(([type, names]) => names.length > 1 && !['Query', 'Mutation', 'Patient'].includes(type))
      .map(([type]) => type);
    expect(shared.sort()).toEqual(['FileLink', 'IngestFault', 'IngestResult', 'PageInfo']);
    for (const name of PRODUCT_NAMES) {
      for (const [type, text] of typesOf(name)) {
        const kernel = shared.includes(type) || type.startsWith('Patient');
        if (text.includes('@shareable')) expect({ type, kernel }).toEqual({ type, kernel: true });
        else expect(shared).not.toContain(type);
      }
    }
  });

  it.each(PRODUCT_NAMES.filter((name) => name !== 'patients'))('of %s knows a person by the key', (name) => {
    const patient = parse(read(name)).definitions.find(
      (each) => each.kind === Kind.OBJECT_TYPE_DEFINITION && each.name.value === 'Patient',
    );
    expect(patient && print(patient)).toMatch(/\ntype Patient @key\(fields: "id"\) \{/);
    expect(read(name)).not.toMatch(/familyName|birthDate/);
  });

  it('imports only the directives that it uses', () => {
    const schema = schemaOf('type Query { a: Int } type Mutation { b: Int }');
    expect(subgraphSdl(schema)).toContain('import: [])');
  });
});

it('gen:check names each file that differs, is missing or is made by nothing', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'thalamus-gen-'));
  try {
    mkdirSync(path.join(folder, 'schema'));
    for (const name of ['same', 'changed', 'left']) writeFileSync(path.join(folder, `schema/${name}.graphql`), 'text\n');
    const made = new Map([
      ['schema/same.graphql', 'text\n'],
      ['schema/changed.graphql', 'text'],
      ['schema/new.graphql', 'text\n'],
    ]);
    expect(await differences(folder, made)).toEqual([
      'schema/changed.graphql differs',
      'schema/new.graphql is missing',
      'schema/left.graphql is made by nothing',
    ]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

it('gen:check finds the committed files as made', () => {
  const out = execFileSync(process.execPath, ['bin/ts.js', 'test/gen/cli.ts', '--check'], { cwd: ROOT, encoding: 'utf8' });
  expect(out).toContain('generated files are as made');
}, 90_000);
