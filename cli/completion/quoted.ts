/** A word as bash, zsh and other shells of their kind take it, whatever is in it. */
export const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
