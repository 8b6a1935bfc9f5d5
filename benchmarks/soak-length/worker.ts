import { serve } from '../soak/remote.js';
import { runningServices } from '../soak/running.js';
import { soakLength } from './topology.js';

serve(runningServices(soakLength));
