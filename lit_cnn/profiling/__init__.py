"""What a network costs: counted exactly on the meta device, and measured on a real one."""
