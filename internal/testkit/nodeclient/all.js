// Runs every test in one process: node all.js

import './users.js';
import './user_attributes.js';
import './user_passwords.js';
import './user_groups.js';
import './groups.js';
import './group_members.js';
import './group_nesting.js';
import './memberships.js';
import './sessions.js';
import './session_factors.js';
import './search.js';
import './letters.js';
import './applications.js';
