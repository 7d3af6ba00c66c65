/* eslint-disable */
import * as types from './graphql';
import type { TypedDocumentNode as DocumentNode } from '@graphql-typed-document-node/core';

/**
 * Map of all GraphQL operations in the project.
 *
 * This map has several performance disadvantages:
 * 1. It is not tree-shakeable, so it will include all operations in the project.
 * 2. It is not minifiable, so the string of a GraphQL query will be multiple times inside the bundle.
 * 3. It does not support dead code elimination, so it will add unused operations.
 *
 * Therefore it is highly recommended to use the babel or swc plugin for production.
 * Learn more about it here: https://the-guild.dev/graphql/codegen/plugins/presets/preset-client#reducing-bundle-size
 */
type Documents = {
    "query LineageOfAnswer($id: ID!) {\n  lineage(id: $id) {\n    id\n    at\n    kind\n    principal\n    purpose\n    patientCount\n    plan {\n      document\n      columns\n    }\n  }\n}": typeof types.LineageOfAnswerDocument,
    "query OnePatient($id: ID!) {\n  patient(id: $id) {\n    id\n    birthYear\n    sex\n    site\n    imagingStudies(first: 2) {\n      edges {\n        node {\n          modalities\n          startedAt\n        }\n      }\n    }\n    notes(first: 2) {\n      edges {\n        node {\n          authoredAt\n          body\n        }\n      }\n      pageInfo {\n        hasNextPage\n        endCursor\n      }\n    }\n  }\n}": typeof types.OnePatientDocument,
    "mutation ScorePatients($input: RunFusionInput!) {\n  runFusion(input: $input) {\n    modelId\n    modelVersion\n    lineageId\n    results {\n      patientId\n      status\n      probability\n      missing {\n        modality\n        reason\n      }\n    }\n  }\n}": typeof types.ScorePatientsDocument,
    "query VariantsOfGene($gene: String!, $first: Int) {\n  variants(gene: $gene, first: $first) {\n    edges {\n      node {\n        id\n        kind\n        clinicalSignificance\n        frequency {\n          ac\n          an\n          af\n        }\n      }\n    }\n    totalCount\n  }\n}": typeof types.VariantsOfGeneDocument,
};
const documents: Documents = {
    "query LineageOfAnswer($id: ID!) {\n  lineage(id: $id) {\n    id\n    at\n    kind\n    principal\n    purpose\n    patientCount\n    plan {\n      document\n      columns\n    }\n  }\n}": types.LineageOfAnswerDocument,
    "query OnePatient($id: ID!) {\n  patient(id: $id) {\n    id\n    birthYear\n    sex\n    site\n    imagingStudies(first: 2) {\n      edges {\n        node {\n          modalities\n          startedAt\n        }\n      }\n    }\n    notes(first: 2) {\n      edges {\n        node {\n          authoredAt\n          body\n        }\n      }\n      pageInfo {\n        hasNextPage\n        endCursor\n      }\n    }\n  }\n}": types.OnePatientDocument,
    "mutation ScorePatients($input: RunFusionInput!) {\n  runFusion(input: $input) {\n    modelId\n    modelVersion\n    lineageId\n    results {\n      patientId\n      status\n      probability\n      missing {\n        modality\n        reason\n      }\n    }\n  }\n}": types.ScorePatientsDocument,
    "query VariantsOfGene($gene: String!, $first: Int) {\n  variants(gene: $gene, first: $first) {\n    edges {\n      node {\n        id\n        kind\n        clinicalSignificance\n        frequency {\n          ac\n          an\n          af\n        }\n      }\n    }\n    totalCount\n  }\n}": types.VariantsOfGeneDocument,
};

/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 *
 *
 * @example
 * ```ts
 * const query = graphql(`query GetUser($id: ID!) { user(id: $id) { name } }`);
 * ```
 *
 * The query argument is unknown!
 * Please regenerate the types.
 */
export function graphql(source: string): unknown;

/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "query LineageOfAnswer($id: ID!) {\n  lineage(id: $id) {\n    id\n    at\n    kind\n    principal\n    purpose\n    patientCount\n    plan {\n      document\n      columns\n    }\n  }\n}"): (typeof documents)["query LineageOfAnswer($id: ID!) {\n  lineage(id: $id) {\n    id\n    at\n    kind\n    principal\n    purpose\n    patientCount\n    plan {\n      document\n      columns\n    }\n  }\n}"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "query OnePatient($id: ID!) {\n  patient(id: $id) {\n    id\n    birthYear\n    sex\n    site\n    imagingStudies(first: 2) {\n      edges {\n        node {\n          modalities\n          startedAt\n        }\n      }\n    }\n    notes(first: 2) {\n      edges {\n        node {\n          authoredAt\n          body\n        }\n      }\n      pageInfo {\n        hasNextPage\n        endCursor\n      }\n    }\n  }\n}"): (typeof documents)["query OnePatient($id: ID!) {\n  patient(id: $id) {\n    id\n    birthYear\n    sex\n    site\n    imagingStudies(first: 2) {\n      edges {\n        node {\n          modalities\n          startedAt\n        }\n      }\n    }\n    notes(first: 2) {\n      edges {\n        node {\n          authoredAt\n          body\n        }\n      }\n      pageInfo {\n        hasNextPage\n        endCursor\n      }\n    }\n  }\n}"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation ScorePatients($input: RunFusionInput!) {\n  runFusion(input: $input) {\n    modelId\n    modelVersion\n    lineageId\n    results {\n      patientId\n      status\n      probability\n      missing {\n        modality\n        reason\n      }\n    }\n  }\n}"): (typeof documents)["mutation ScorePatients($input: RunFusionInput!) {\n  runFusion(input: $input) {\n    modelId\n    modelVersion\n    lineageId\n    results {\n      patientId\n      status\n      probability\n      missing {\n        modality\n        reason\n      }\n    }\n  }\n}"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "query VariantsOfGene($gene: String!, $first: Int) {\n  variants(gene: $gene, first: $first) {\n    edges {\n      node {\n        id\n        kind\n        clinicalSignificance\n        frequency {\n          ac\n          an\n          af\n        }\n      }\n    }\n    totalCount\n  }\n}"): (typeof documents)["query VariantsOfGene($gene: String!, $first: Int) {\n  variants(gene: $gene, first: $first) {\n    edges {\n      node {\n        id\n        kind\n        clinicalSignificance\n        frequency {\n          ac\n          an\n          af\n        }\n      }\n    }\n    totalCount\n  }\n}"];

export function graphql(source: string) {
  return (documents as any)[source] ?? {};
}

export type DocumentType<TDocumentNode extends DocumentNode<any, any>> = TDocumentNode extends DocumentNode<  infer TType,  any>  ? TType  : never;