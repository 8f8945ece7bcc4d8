// Ids that nobody else has.

/** A UUID of random bits; also where the page came without TLS, and `crypto.randomUUID` is not there. */
export function newId() {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    bytes[6] = (bytes[6] & 15) | 64;
    bytes[8] = (bytes[8] & 63) | 128;
    const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
    return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

/** The same id for the same number of the same thing: what is tried again under it is done once. @param {string} id @param {number} number below 65,536 */
export const idOf = (id, number) => id.slice(0, -4) + (number & 0xffff).toString(16).padStart(4, '0');
