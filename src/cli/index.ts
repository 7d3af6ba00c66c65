export { main } from './verbs.js';
