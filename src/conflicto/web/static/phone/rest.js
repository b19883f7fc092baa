// What a phone needs seldom or late, in one file that comes when the room is there: the seat's menu, notices, and the page's own keeping.

import { countedResults } from "../elements/counting.js";
import { keepPage } from "./keeping.js";
import { drawPanel, knowScore } from "./menu.js";
import { drawNotices } from "./notices.js";

export { countedResults, drawNotices, drawPanel, keepPage, knowScore };
