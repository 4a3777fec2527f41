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
  /** Shared by a log and all its children. */
  readonly threshold: LogThreshold;
}

/** From which level on lines are written; may be changed at any time. */
export interface LogThreshold {
  level: LogLevel;
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

/** JSON lines on standard error (or another file descriptor), written at once so that a kill loses none. */
export function createLog(options: { level: LogLevel; fd?: number; fields?: LogFields }): Log {
  const logger = pino(
    {
      // What is written is for the threshold to say: pino's own levels are not shared with children.
      level: 'debug',
      base: options.fields ?? {},
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { error: describeError },
    },
    pino.destination({ fd: options.fd ?? 2, sync: true }),
  );
  return logOver(logger, { level: options.level });
}

const ranks: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3, silent: 4 };

/** Functions that stand alone: pino's own fail when they are called without their object. */
function logOver(logger: pino.Logger, threshold: LogThreshold): Log {
  const at = (level: Exclude<LogLevel, 'silent'>) => (fields: LogFields, sentence: string) => {
    if (ranks[level] >= ranks[threshold.level]) logger[level](fields, sentence);
  };
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: (fields) => logOver(logger.child(fields), threshold),
    threshold,
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
