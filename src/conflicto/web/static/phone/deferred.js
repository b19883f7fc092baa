// What a phone needs seldom or late, in one file that comes when the room is there: the seat's menu, notices, and the page's own keeping.

import { fetchResults } from "../elements/results.js";
import { drawPanel, fetchScore } from "./menu.js";
import { drawNotices } from "./notices.js";
import { enableOffline } from "./offline.js";

export { fetchResults, drawNotices, drawPanel, enableOffline, fetchScore };
