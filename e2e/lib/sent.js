// How many bytes of chunks a page has sent and been thanked for, counted in the page itself, over its reloads.

/** Begins to count; gives what tells the sum. Call it before the page is loaded. @param {import('playwright-core').Page} page @returns {Promise<() => Promise<number>>} */
export async function countSent(page) {
    await page.addInitScript(() => {
        const ask = window.fetch;
        window.fetch = async (address, options) => {
            const answer = await ask(address, options);
            const { body } = options ?? {};
            if (body instanceof Blob && String(address).endsWith('/chunks') && answer.ok) {
                // Each chunk has a head of 44 bytes, with its length at the end.
                const bytes = new DataView(await body.arrayBuffer());
                let sum = Number(sessionStorage.getItem('sent') ?? 0);
                for (let at = 0; at < bytes.byteLength; at += 44 + bytes.getUint32(at + 36, true)) sum += bytes.getUint32(at + 36, true);
                sessionStorage.setItem('sent', String(sum));
            }
            return answer;
        };
    });
    return () => page.evaluate(() => Number(sessionStorage.getItem('sent') ?? 0));
}
