import { availableParallelism, cpus } from 'node:os';
import type { Figures, Missing, Report } from './bench.js';

/** The one object that `--json` prints: a peer that is missing is `null`, with the reason beside it. */
export function jsonReport(name: string, rounds: number, report: Report): Record<string, unknown> {
  const peers = Object.entries(report.peers);
  const reasons = peers.flatMap(([, peer]) => (isMissing(peer) ? [peer.missing] : []));
  return {
    name,
    machine: machineOf(report),
    rounds,
    ours: shortened(report.ours),
    ...Object.fromEntries(
      peers.map(([peer, figures]) => [peer, isMissing(figures) ? null : shortened(figures)]),
    ),
    ...(reasons.length === 0 ? {} : { reason: reasons.join('; ') }),
    ratios: ratiosOf(report),
  };
}

/** For people: a line a figure, a column for each who was measured, and the ratio. */
export function tableReport(name: string, rounds: number, report: Report): string {
  const peers = Object.entries(report.peers).filter((peer): peer is [string, Figures] => !isMissing(peer[1]));
  const columns = [['ours', report.ours] as const, ...peers];
  const ratios = ratiosOf(report);
  const names = [...new Set(columns.flatMap(([, figures]) => Object.keys(figures)))];
  const head = ['', ...columns.map(([who]) => who), ...(peers.length > 0 ? ['ours / peer'] : [])];
  const lines = names.map((figure) => [
    figure,
    ...columns.map(([, figures]) => written(figures[figure])),
    ...(peers.length > 0 ? [written(ratios[figure])] : []),
  ]);
  const { cores, cpu, node, envoy } = machineOf(report);
  const on = `${name}: medians of ${rounds} rounds on ${cores} cores (${cpu}), Node ${node}`;
  const missing = Object.entries(report.peers).flatMap(([peer, figures]) =>
    isMissing(figures) ? [`${peer} was not measured: ${figures.missing}`] : [],
  );
  return [`${on}${envoy === null ? '' : `, Envoy ${envoy}`}`, '', ...aligned([head, ...lines]), ...missing]
    .map((line) => `${line}\n`)
    .join('');
}

function machineOf({ envoy }: Report) {
  const cpu = cpus()[0]?.model.trim() ?? 'unknown';
  return { cores: availableParallelism(), cpu, node: process.versions.node, envoy: envoy ?? null };
}

/** Of the figures that both have. */
function ratiosOf({ ours, peers }: Report): Figures {
  const [peer] = Object.values(peers);
  if (!peer || isMissing(peer)) return {};
  const shared = Object.entries(ours).flatMap(([name, value]) => {
    const other = peer[name];
    return other === undefined ? [] : [[name, rounded(value / other, 3)] as const];
  });
  return Object.fromEntries(shared);
}

function isMissing(peer: Figures | Missing): peer is Missing {
  return typeof peer.missing === 'string';
}

function aligned(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd(),
  );
}

function written(value: number | undefined): string {
  if (value === undefined) return '-';
  return Math.abs(value) >= 100 ? String(Math.round(value)) : String(rounded(value, 3));
}

function shortened(figures: Figures): Figures {
  return Object.fromEntries(Object.entries(figures).map(([name, value]) => [name, rounded(value, 4)]));
}

/** To so many significant digits. */
function rounded(value: number, digits: number): number {
  return Number(value.toPrecision(digits));
}
