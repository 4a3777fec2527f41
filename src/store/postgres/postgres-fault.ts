import { Fault, fault, isFault } from '../../base/faults/fault.js';
import { systemErrorCode } from '../../disk/private-file.js';

/** The connection is gone, or was never there: whether the last statement was carried out is not known. */
export class ConnectionLost extends Error {}

/** The SQLSTATE that the server gave (https://www.postgresql.org/docs/current/errcodes-appendix.html). */
export function sqlState(error: unknown): string | undefined {
  const code = error instanceof Error && 'severity' in error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : undefined;
}

/**
 * Whether doing the same again may succeed: the server takes back what a unit did when others were in its way, it is
 * starting or stopping, or the connection was lost.
 */
export function isPassing(error: unknown): boolean {
  const state = sqlState(error);
  if (state === undefined) return error instanceof ConnectionLost || isFault(error, 'STO0401');
  return passing.has(state) || state.startsWith('08');
}

const passing = new Set([
  '40001', // serialization failure
  '40P01', // deadlock
  '55P03', // lock not available in time
  '57P01', // the administrator ended the connection
  '57P02', // another connection crashed
  '57P03', // starting or stopping
  '57P05', // idle too long
  '25P03', // idle in a transaction too long
  '53300', // too many connections
]);

/** Puts what a session throws into the words of the fault table; a mistake in our own SQL is a bug and stays as it is. */
export function databaseFault(error: unknown, place: string): unknown {
  if (error instanceof Fault) return error;
  const state = sqlState(error);
  const problem = error instanceof Error ? error.message : '';
  if (error instanceof ConnectionLost || (state !== undefined && isPassing(error))) {
    return fault('STO0401', { place, problem }, { cause: error });
  }
  if (state === undefined || ownMistake.test(state)) return error;
  const options = { cause: error };
  if (state === '53100') return fault('STO0403', { place }, options);
  if (state === '25006') return fault('STO0404', { place }, options);
  return fault('STO0405', { place, state, problem }, options);
}

/** Wrong data, broken constraints, syntax: everything of class 42 but a missing privilege. */
const ownMistake = /^(?:22|23|42(?!501))/;

/** Why a connection could not be made. */
export function connectFault(error: unknown, { place, hasTls }: { place: string; hasTls: boolean }): unknown {
  if (error instanceof Fault) return error;
  const problem = error instanceof Error ? error.message : String(error);
  const options = { cause: error };
  const state = sqlState(error);
  if (state !== undefined) {
    return state.startsWith('28')
      ? fault('STO0307', { place, problem }, options)
      : databaseFault(error, place);
  }
  if (problem.startsWith('SASL')) return fault('STO0307', { place, problem }, options);
  const system = systemErrorCode(error);
  const isLost = system !== undefined || /^(?:timeout expired|Connection terminated)/.test(problem);
  if (hasTls && !isLost) return fault('STO0308', { place, problem }, options);
  return fault('STO0401', { place, problem: system ?? problem }, options);
}
