package store

import "context"

// What is noted counts on top of the rows until it is in them. While a batch is being
// committed nobody can tell whether rows that are read have it already: it would count
// twice, or not at all. So who reads rows and notes waits for a commit that is under way, and
// reads again where one came in between. The commit waits for no reader.

// settle commits a batch and takes it out of what counts beyond the rows.
func (n *notes) settle(commit func() error) error {
	settled := make(chan struct{})
	defer close(settled)
	n.mu.Lock()
	n.settling = settled
	n.mu.Unlock()

	err := commit()

	n.mu.Lock()
	defer n.mu.Unlock()
	n.settling = nil
	if err == nil {
		n.flushing = newNoted()
		n.batches++
	}
	return err
}

// counted runs read, which reads rows, and then overlay with each batch that the rows don't
// have: the one that is being written, then the one that waits. It may run read again.
func (n *notes) counted(ctx context.Context, read func() error, overlay func(p *noted)) error {
	for {
		batches, err := n.settled(ctx)
		if err != nil {
			return err
		}
		if err := read(); err != nil {
			return err
		}
		if n.overlay(batches, overlay) {
			return nil
		}
	}
}

// settled waits until no batch is being committed and tells how many were.
func (n *notes) settled(ctx context.Context) (batches int, err error) {
	for {
		n.mu.Lock()
		settling, batches := n.settling, n.batches
		n.mu.Unlock()
		if settling == nil {
			return batches, nil
		}
		select {
		case <-settling:
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
}

// overlay runs do unless a commit came in between, and tells whether it did.
func (n *notes) overlay(batches int, do func(p *noted)) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.settling != nil || n.batches != batches {
		return false
	}
	do(n.flushing)
	do(n.pending)
	return true
}
