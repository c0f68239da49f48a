/** The folder inside a run folder through which operators speak to its controller. */
export const INBOX_FOLDER = "inbox";
