// Modules that a phone loads after the first view: menu, notices, results and the service worker.

import { fetchResults } from "../elements/results.js";
import { drawPanel, fetchScore } from "./menu.js";
import { drawNotices } from "./notices.js";
import { enableOffline } from "./offline.js";

export { fetchResults, drawNotices, drawPanel, enableOffline, fetchScore };
