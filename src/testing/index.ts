export { type BackboneBench, type BackboneCase, type BackboneFault, backboneCases, type OpenBackbone } from './backbone.ts';
export { type Case, ContractBroken } from './contract.ts';
export { type OpenStore, storeCases } from './store.ts';
export { durableStoreCases } from './store-durable.ts';
export { hostileNames } from './store-parts.ts';
