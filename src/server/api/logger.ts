import { fault } from '../../base/faults/fault.js';
import type { LogLevel } from '../../telemetry/log.js';
import type { Service } from '../../transport/service.js';
import type { MessageIn, MessageOut } from '../../wire/names.js';
import type { Caller } from '../authorise.js';
import { guardedService } from '../guarded-service.js';
import { type ApiContext, actorOf } from './context.js';

/** SPIRE has two levels above errors and one below debug; here they are errors and debug. Errors cannot be silenced. */
const levels: ReadonlyMap<string | number, LogLevel> = new Map([
  ['PANIC', 'error'],
  ['FATAL', 'error'],
  ['ERROR', 'error'],
  ['WARN', 'warn'],
  ['INFO', 'info'],
  ['DEBUG', 'debug'],
  ['TRACE', 'debug'],
]);

const names = {
  silent: 'PANIC',
  error: 'ERROR',
  warn: 'WARN',
  info: 'INFO',
  debug: 'DEBUG',
} as const satisfies Record<LogLevel, MessageIn<'spire.api.types.Logger'>['current_level']>;

/** `spire.api.server.logger.v1.Logger`: how much the server logs, until it is started again. */
export function loggerService({ authoriser, log }: ApiContext): Service {
  const launchLevel = log.threshold.level;
  const state = () => ({ current_level: names[log.threshold.level], launch_level: names[launchLevel] });
  const change = (level: LogLevel, caller: Caller) => {
    // Seen under every level: who reads the log must know why it went quiet.
    log.error({ from: log.threshold.level, to: level, by: actorOf(caller) }, 'the log level is changed');
    log.threshold.level = level;
    return state();
  };
  return guardedService('spire.api.server.logger.v1.Logger', authoriser, {
    GetLogger: { unary: async () => state() },
    SetLogLevel: {
      unary: async (request: MessageOut<'spire.api.server.logger.v1.SetLogLevelRequest'>, caller) => {
        const { new_level = 'UNSPECIFIED' } = request;
        const level = levels.get(new_level);
        if (!level) throw fault('SRV0502', { level: new_level });
        return change(level, caller);
      },
    },
    ResetLogLevel: { unary: async (_, caller) => change(launchLevel, caller) },
  });
}
