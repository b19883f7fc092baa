// The join link. Its key is in the fragment, which browsers never send, so that no log contains it.

import { boot } from "./i18n.js";

export const origin = () => boot.public_url || location.origin;

/** @param {{ join_code: string, link_key: string }} session */
export const joinLink = ({ join_code: code, link_key: key }) => `${origin()}/j/${code.replaceAll("-", "")}#key=${key}`;
