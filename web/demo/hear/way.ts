// Page thread: the systems that a sound can go through.

/** The ways a sound can take: unchanged, or through a system that takes the noise out. */
export type Way = "raw" | "sordino" | "rnnoise" | "gtcrn";
