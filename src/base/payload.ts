/** What a store was given for keeping, in the form in which it was put: whoever writes a model of artifacts is the one who reads it, so nothing else can be there. */
export const payloadOf = <T>({ payload }: { readonly payload: Readonly<Record<string, unknown>> }): T => payload as unknown as T
