import { serve } from './remote.js';
import { runningServices } from './running.js';
import { soak } from './topology.js';

serve(runningServices(soak));
