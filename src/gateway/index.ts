export { ask, explain, type Answer, type Question } from './ask.js';
export {
  AUDIENCE,
  DEMO_ISSUER,
  Identity,
  localIssuer,
  makeSigningKey,
  remoteIssuer,
  signRouterToken,
  signToken,
  type SigningKey,
  type TrustedIssuer,
} from './identity.js';
export { Mesh, type Ingestion, type MeshParts } from './mesh.js';
export { buildSchema, sdlOf } from './schema.js';
export { startGateway, type Gateway, type GatewayOptions } from './server.js';
