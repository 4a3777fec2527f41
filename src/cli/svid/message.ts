import { serviceDefinition } from '../../wire/services.js';

export const svidApi = serviceDefinition('spire.api.server.svid.v1.SVID');
