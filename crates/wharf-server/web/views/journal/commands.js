// The commands that write with a key of the journal, each to be run as it is: those that `wharf diary udp add` prints.

/** @typedef {import('../../types').JournalKey} JournalKey */

/** @param {JournalKey} key as the server made it @param {string} host where its port is reached */
export function commandsOf({ kind, id, secret = '', port = 0 }, host) {
    const bare = host.replace(/^\[|\]$/g, '');
    switch (kind) {
        case 'token':
            return [
                `echo '${secret} TEXT' | nc -u -w1 ${bare} ${port}`,
                `{ echo '${secret} TEXT'; sleep 1; } | ncat -u ${bare} ${port}`,
                `echo '${secret} TEXT' | timeout 2 nc.traditional -u -w1 ${bare} ${port}`,
                `bash -c "echo '${secret} TEXT' > /dev/udp/${bare}/${port}"`,
            ];
        case 'signed':
            return [`t=$(date +%s) m='TEXT'; printf 'wh_${id} %s %s %s\\n' "$t" "$(printf '%s %s' "$t" "$m" | openssl dgst -sha256 -hmac '${secret}' -r | cut -c1-64)" "$m" | nc -u -w1 ${bare} ${port}`];
        default:
            return [`wharf diary udp use 'wharf-udp://${id}:${secret}@${bare.includes(':') ? `[${bare}]` : bare}:${port}'`, "wharf diary --udp 'TEXT'"];
    }
}
