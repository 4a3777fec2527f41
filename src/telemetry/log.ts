import pino from 'pino';
import { Fault } from '../base/faults/fault.js';

/** What a log line carries besides its sentence. `error` is written as code, sentence, hint and causes. */
export type LogFields = Record<string, unknown> & { error?: unknown };

/** The log as the rooms see it: facts first, then one sentence that never changes with the facts. */
export interface Log {
  debug(fields: LogFields, sentence: string): void;
  info(fields: LogFields, sentence: string): void;
  warn(fields: LogFields, sentence: string): void;
  error(fields: LogFields, sentence: string): void;
  /** A log whose every line carries `fields` too. */
  child(fields: LogFields): Log;
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

/** JSON lines on standard error (or another file descriptor), written at once so that a kill loses none. */
export function createLog(options: { level: LogLevel; fd?: number; fields?: LogFields }): Log {
  const logger = pino(
    {
      level: options.level,
      base: options.fields ?? {},
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { error: describeError },
    },
    pino.destination({ fd: options.fd ?? 2, sync: true }),
  );
  return logOver(logger);
}

/** Functions that stand alone: pino's own fail when they are called without their object. */
function logOver(logger: pino.Logger): Log {
  return {
    debug: (fields, sentence) => logger.debug(fields, sentence),
    info: (fields, sentence) => logger.info(fields, sentence),
    warn: (fields, sentence) => logger.warn(fields, sentence),
    error: (fields, sentence) => logger.error(fields, sentence),
    child: (fields) => logOver(logger.child(fields)),
  };
}

export const silentLog: Log = createLog({ level: 'silent' });

/** An error as data: a Fault by its table row, anything else (a bug of ours) with its stack. */
function describeError(error: unknown): unknown {
  if (error instanceof Fault) {
    const { code, message, hint, cause } = error;
    return { code, message, hint, ...(cause === undefined ? {} : { cause: describeError(cause) }) };
  }
  if (!(error instanceof Error)) return { message: String(error) };
  const { message, stack, cause } = error;
  return { message, stack, ...(cause === undefined ? {} : { cause: describeError(cause) }) };
}
