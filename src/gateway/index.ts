export { ask, explain, type Answer, type Question } from './ask.js';
export { AUDIENCE, DEMO_ISSUER, Identity, localIssuer, makeSigningKey, remoteIssuer, signRouterToken, signToken, type SigningKey, type TrustedIssuer } from './identity.js';
export { bindPlan, runOperation, type ExecutionChoice, type MeshAnswer } from './executor.js';
export { Mesh, type Ingestion, type MeshParts } from './mesh.js';
export { MeshRequest } from './request.js';
export { buildSchema, sdlOf } from './schema.js';
export { startGateway, type Gateway, type GatewayOptions } from './server.js';
