/** What a user writes in front of a name that is to be looked for. By itself, so that asking for it loads no network. */
export const TRANSPORT = 'appc';
