// Imported for its effect, and before @peculiar/x509, whatever an import sorter thinks: it needs the Reflect metadata API.
import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';

x509.cryptoProvider.set(webcrypto);

/** Another implementation of X.509, to hold ours against. */
export { x509 };
