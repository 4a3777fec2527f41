import type { Log, LogFields, LogLevel } from '../../src/telemetry/log.js';

export interface LogLine {
  level: LogLevel;
  fields: LogFields;
  sentence: string;
}

/** A log that keeps its lines, to be looked at. */
export function recordingLog(lines: LogLine[] = [], always: LogFields = {}): Log & { lines: LogLine[] } {
  const at = (level: LogLevel) => (fields: LogFields, sentence: string) =>
    void lines.push({ level, fields: { ...always, ...fields }, sentence });
  return {
    lines,
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: (fields) => recordingLog(lines, { ...always, ...fields }),
    threshold: { level: 'debug' },
  };
}
