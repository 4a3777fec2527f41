/**
 * A request header of AttestAgent by which an agent promises to close its half of the stream once it has kept its SVID. Only
 * then is its evidence used up, so that an agent that is killed in between can attest again. SPIRE's agents do not say it:
 * for them the SVID has arrived when it was sent.
 */
export const acknowledgesHeader = 'plastron-acknowledges';
