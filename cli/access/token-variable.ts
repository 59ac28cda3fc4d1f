/** An access token, for commands that connect. No setting: it would be seen in `tidemark config` and in files. */
export const TOKEN_VARIABLE = 'TIDEMARK_TOKEN'
