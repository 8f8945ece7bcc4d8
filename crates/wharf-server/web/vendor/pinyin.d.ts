export const UNIHANS: string[];
export const PINYINS: string[];
export const EXCEPTIONS: Record<string, string>;
