import type { Command } from 'commander';
import type { AgentSettings } from '../app/agent.js';
import { spireSecretNames } from '../sds/secret-source.js';
import { wholeNumber } from './whole-number.js';

/** What an agent's operator may say about its secrets. The first four are SPIRE's settings of the section `sds`. */
export interface SdsOptions {
  sdsDefaultSvidName: string;
  sdsDefaultBundleName: string;
  sdsDefaultAllBundlesName: string;
  sdsDisableSpiffeCertValidation?: true;
  maxConnectionsPerUser: number;
}

export function addSdsOptions(command: Command): Command {
  const { svid, bundle, allBundles } = spireSecretNames;
  return command
    .option('--sds-default-svid-name <name>', "what Envoys call their workload's default SVID", svid)
    .option('--sds-default-bundle-name <name>', 'what they call the bundle of the trust domain', bundle)
    .option(
      '--sds-default-all-bundles-name <name>',
      'what they call the bundles of all trust domains that their workload may verify',
      allBundles,
    )
    .option(
      '--sds-disable-spiffe-cert-validation',
      'give Envoys plain CA certificates unless their node metadata ask for the SPIFFE validator',
    )
    .option(
      '--max-connections-per-user <count>',
      'how many connections the processes of one user may have to the socket',
      wholeNumber,
      2000,
    );
}

export function sdsSettings(
  options: SdsOptions,
): Required<Pick<AgentSettings, 'secrets' | 'maxConnectionsPerUser'>> {
  const names = {
    svid: options.sdsDefaultSvidName,
    bundle: options.sdsDefaultBundleName,
    allBundles: options.sdsDefaultAllBundlesName,
  };
  return {
    secrets: { names, plainContexts: options.sdsDisableSpiffeCertValidation ?? false },
    maxConnectionsPerUser: options.maxConnectionsPerUser,
  };
}
