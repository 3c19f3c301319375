package entra

// LimitPages ends lists after so many pages, so that a test needn't wait for thousands.
func (s *Source) LimitPages(n int) { s.mostPages = n }
